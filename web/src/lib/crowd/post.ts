/** Who is told of alerts, and what became of each message: the operations, and what one says of them. Pure but for those. */
import { json, request, url } from '$lib/api/client';
import type { components } from '$lib/api/schema';
import { app } from '$lib/state/app.svelte';

type Schemas = components['schemas'];
export type Recipients = Schemas['CrowdRecipients'];
export type Recipient = Schemas['CrowdRecipient'];
export type RecipientFacts = Schemas['CrowdRecipientFacts'];
export type Delivery = Schemas['CrowdDelivery'];
export type Channel = Schemas['CrowdChannel'];
export type Address = Schemas['CrowdAddress'];
export const channels: Channel[] = ['email', 'webhook', 'mqtt'];

const at = (...path: string[]) => url(`/crowd/events/${path.map(encodeURIComponent).join('/')}`);
export const getRecipients = (event: string) => request<Recipients>(at(event, 'recipients'));
export const putRecipient = (event: string, key: string, version: number | null, facts: RecipientFacts) =>
  request<Recipient>(at(event, 'recipients', key), json({ version, facts }, app.session.csrf, 'PUT'));
export const removeRecipient = (event: string, { key, version }: Recipient) =>
  request<void>(`${at(event, 'recipients', key)}?version=${version}`, {
    method: 'DELETE',
    headers: { 'X-CSRF-Token': app.session.csrf },
  });
export const testRecipient = (event: string, key: string) =>
  request<Delivery>(at(event, 'recipients', key, 'test'), json({}, app.session.csrf, 'POST'));
export const getDeliveries = (event: string, run: string) => request<Delivery[]>(at(event, 'runs', run, 'deliveries'));
export const reportPdf = (event: string, run: string, lang: string) =>
  `${at(event, 'runs', run, 'report.pdf')}?lang=${lang}`;

/** The address as one line of text. */
export function addressText(address: Address): string {
  if (address.channel === 'email') return address.email;
  return address.channel === 'webhook' ? address.url : address.topic;
}
/** An address from a form. */
export function addressOf(channel: Channel, text: string, secret: string): Address {
  const trimmed = text.trim();
  if (channel === 'email') return { channel, email: trimmed };
  if (channel === 'mqtt') return { channel, topic: trimmed };
  return { channel, url: trimmed, ...(secret.trim() ? { secret: secret.trim() } : {}) };
}
/** A key for a new recipient: its function in small letters and hyphens, with a number when that is taken. */
export function keyOf(name: string, taken: string[]): string {
  const plain = name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  const base =
    plain
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 50) || 'ontvanger';
  let key = base;
  for (let count = 2; taken.includes(key); count += 1) key = `${base}-${count}`;
  return key;
}

export interface Tally {
  delivered: number;
  waiting: number;
  failed: number;
}
/** How many messages arrived, wait and failed. */
export function tally(deliveries: Delivery[]): Tally {
  const of = (state: Delivery['state']) => deliveries.filter((one) => one.state === state).length;
  return { delivered: of('delivered'), waiting: of('waiting'), failed: of('failed') };
}
/** Whether somebody must look: something failed, or was tried in vain. */
export const isAmiss = (deliveries: Delivery[]) =>
  deliveries.some(({ state, attempts }) => state === 'failed' || (state === 'waiting' && attempts > 0));
