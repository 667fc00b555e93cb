import { expect, it } from 'vitest';
import { ParkedSubjects } from './parked-subjects.ts';

let elapsed = 0;
const parked = () => new ParkedSubjects(() => elapsed);

it('is told in words that hold nothing of the message', () => {
  const subjects = parked();
  subjects.onParked({ subjectId: 'a', token: 3, error: new TypeError('hunter2') });
  subjects.onParked({
    subjectId: 'b',
    token: 3,
    error: Object.assign(new Error('hunter2'), { code: '57P01' }),
  });
  subjects.onParked({ subjectId: 'c', token: 3, error: 'hunter2' });
  expect(subjects.list()).toEqual([
    { subjectId: 'a', token: 3, problem: 'It met an error of the kind TypeError.' },
    { subjectId: 'b', token: 3, problem: 'It met an error of the kind Error (57P01).' },
    { subjectId: 'c', token: 3, problem: 'It met an error of the kind string.' },
  ]);
});

it('is parked until it goes on: to be taken hold of again, or told something, is not yet that', () => {
  const subjects = parked();
  subjects.onParked({ subjectId: 'a', token: 3, error: new Error('x') });
  subjects.onFact({ subjectId: 'a', fact: { type: 'takenOver', at: 1 } });
  subjects.onFact({ subjectId: 'a', fact: { type: 'told', at: 2, command: {} } });
  subjects.onFact({ subjectId: 'b', fact: { type: 'noted', at: 3, note: {} } });
  expect(subjects.list()).toHaveLength(1);
  subjects.onFact({ subjectId: 'a', fact: { type: 'noted', at: 4, note: {} } });
  expect(subjects.list()).toEqual([]);
});

it('is forgotten when nothing was heard of it for longer than the pause between two tries', () => {
  const subjects = parked();
  subjects.onParked({ subjectId: 'a', token: 3, error: new Error('x') });
  elapsed += 90_000;
  expect(subjects.list()).toHaveLength(1);
  elapsed += 1;
  expect(subjects.list()).toEqual([]);
});
