/** The days below the line of time: as many as can be read, never over each other. Pure. */
const HOUR_MS = 3_600_000;
/** Days from one mark to the next: daily, every other day, then whole weeks. */
const STEPS = [1, 2, 7, 14, 28, 56, 112, 364];

/** Midnights on the city's clock from `from` (ms) to `to`; an hour that the clock skips or repeats does not matter. */
export function midnights(from: number, to: number, timeZone: string): number[] {
  const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', hourCycle: 'h23', timeZone });
  const found: number[] = [];
  for (let at = Math.ceil(from / HOUR_MS) * HOUR_MS; at < to; at += HOUR_MS) {
    if (Number(hour.format(at)) === 0) found.push(at);
  }
  return found;
}

/** Those of `days` whose labels of `label` pixels fit below a line of `width` pixels from `from` to `to`. */
export function readable(days: number[], from: number, to: number, width: number, label: number): number[] {
  const pixels = (moment: number) => ((moment - from) / (to - from)) * width;
  const fits = (marks: number[]) =>
    marks.every((at, place) => place === 0 || pixels(at) - pixels(marks[place - 1] ?? at) >= label);
  const inside = days.filter((at) => pixels(at) + label <= width);
  const step = STEPS.find((each) => fits(inside.filter((_, place) => place % each === 0)));
  return step ? inside.filter((_, place) => place % step === 0) : inside.slice(0, 1);
}
