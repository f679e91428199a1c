/** Moments in forms: what a person types is the wall clock of the city, what the server gets is UTC. */

const parts: Intl.DateTimeFormatOptions = {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
};
function wall(moment: number, timeZone: string): string {
  const found = Object.fromEntries(
    new Intl.DateTimeFormat('en-GB', { ...parts, timeZone })
      .formatToParts(moment)
      .map(({ type, value }) => [type, value]),
  );
  return `${found.year}-${found.month}-${found.day}T${found.hour}:${found.minute}`;
}
/** A moment as the value of a `datetime-local` field; empty when there is none. */
export function toField(moment: string | null | undefined, timeZone: string): string {
  const ms = Date.parse(moment ?? '');
  return Number.isNaN(ms) ? '' : wall(ms, timeZone);
}
/** The moment that a field says (RFC 3339, UTC), or undefined. Of the hour that happens twice in autumn, the first. */
export function fromField(text: string, timeZone: string): string | undefined {
  const asUtc = Date.parse(`${text}Z`);
  if (Number.isNaN(asUtc)) return undefined;
  const offset = (ms: number) => Date.parse(`${wall(ms, timeZone)}Z`) - Math.floor(ms / 60_000) * 60_000;
  const candidates = [asUtc - offset(asUtc - 86_400_000), asUtc - offset(asUtc + 86_400_000)].sort((a, b) => a - b);
  const found = candidates.find((ms) => wall(ms, timeZone) === text.slice(0, 16)) ?? candidates[0];
  return found === undefined ? undefined : new Date(found).toISOString().replace('.000Z', 'Z');
}
/** A round moment from which a new thing is proposed to start: the next whole hour after `ms`. */
export const nextHour = (ms: number) =>
  new Date(Math.ceil(ms / 3_600_000) * 3_600_000).toISOString().replace('.000Z', 'Z');
