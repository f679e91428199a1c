/** Plans as GeoJSON files. What a file says is the server's to judge; here it is only read. */

/** What is wrong with one feature of a file. */
export interface FeatureProblem {
  feature: number;
  thing: string;
  detail: string;
  remedy: string;
}

/** A file's text as features. @throws SyntaxError when it is no GeoJSON with features. */
export function readGeoJson(text: string): { features: unknown[] } {
  const read: unknown = JSON.parse(text);
  const features = (read as { features?: unknown } | null)?.features;
  if (!Array.isArray(features)) throw new SyntaxError('no features');
  return read as { features: unknown[] };
}

/** The problems of single features in what the server answered. */
export function featureProblems(answer: Record<string, unknown>): FeatureProblem[] {
  const problems = Array.isArray(answer.problems) ? answer.problems : [];
  return problems.filter((one): one is FeatureProblem => typeof one?.feature === 'number');
}
