/** The accounts, for an administrator. */
import { getUsers } from '$lib/api/client';
import { app } from '$lib/state/app.svelte';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, depends, parent }) => {
  depends('polder:users');
  await parent();
  if (!app.mayManage) return { users: [], problem: null };
  try {
    return { users: await getUsers(fetch), problem: null };
  } catch (problem) {
    return { users: [], problem };
  }
};
