/** What stands under one heading. */
export interface Part {
  /** Where it is, relative to the site: `errors.html#err_busy`. */
  readonly href: string;
  /** The title of its page. */
  readonly page: string;
  /** Its heading. */
  readonly title: string;
  readonly text: string;
  /** What its tables tell of: options, codes, members. */
  readonly terms: readonly string[];
}

/** @returns those with all words of the query, the best first, at most `max` */
export function findParts(
  parts: readonly Part[],
  query: string,
  max: number,
): readonly (Part & { readonly excerpt: string })[];
