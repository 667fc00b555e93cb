import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Instant;
import java.util.Date;
import java.util.TimeZone;
import org.quartz.CronExpression;

/**
 * Reads lines that begin with "expression;zone;start" and writes those three cells with the next 20 fires of Quartz's
 * CronExpression after the start as a fourth; lines that begin with # are written as they are.
 */
public class QuartzFires {
  public static void main(String[] arguments) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = lines.readLine()) != null; ) {
      if (line.startsWith("#")) {
        System.out.println(line);
        continue;
      }
      String[] cells = line.split(";");
      System.out.println(String.join(";", cells[0], cells[1], cells[2], fires(cells[0], cells[1], cells[2])));
    }
  }

  private static String fires(String expression, String zone, String start) throws Exception {
    CronExpression cron = new CronExpression(expression);
    cron.setTimeZone(TimeZone.getTimeZone(zone));
    StringBuilder fires = new StringBuilder();
    Date at = cron.getTimeAfter(Date.from(Instant.parse(start)));
    for (int count = 0; at != null && count < 20; count++) {
      fires.append(count == 0 ? "" : " ").append(at.toInstant());
      at = cron.getTimeAfter(at);
    }
    return fires.toString();
  }
}
