type Catalogue = Readonly<Record<string, { readonly remedy: string }>>;

/** Looks remedies up in several catalogues; a later one prevails. The answer is empty for a code that none has. */
export function remediesOf(catalogues: readonly Catalogue[]): (code: string) => string {
  const remedies = new Map(
    catalogues.flatMap((catalogue) =>
      Object.entries(catalogue).map(([code, { remedy }]) => [code, remedy] as const),
    ),
  );
  return (code) => remedies.get(code) ?? '';
}
