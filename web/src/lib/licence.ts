/** The licence of a source in words: a short name that is known everywhere, or that it is not known. */
import type { Layer } from '$lib/api/types';
import { maybe, t } from '$lib/i18n/index.svelte';

type Licence = Pick<Layer['source'], 'licence' | 'licenceVerified'>;

export function licenceText({ licence, licenceVerified }: Licence): string {
  const unknown = maybe(`licence.${licence}`);
  if (unknown) return unknown;
  return licenceVerified ? licence : t('layers.licenceUnverified', { licence });
}
