/** Roles and what a token may be limited to, as the screen offers them. The server decides; this only saves a refusal. */
import type { MessageKey } from '$lib/i18n/nl';

export const roles = ['viewer', 'analyst', 'operator', 'dataSteward', 'administrator'] as const;
export type Role = (typeof roles)[number];
export const isRole = (text: string): text is Role => (roles as readonly string[]).includes(text);

/** A role in one municipality (tenant); an empty one means all of them. */
export interface Grant {
  tenant: string;
  role: Role;
}

/** From `role` (everywhere) or `tenant:role`, as the server writes them. */
export function parseGrant(text: string): Grant | null {
  const [first = '', second] = text.split(':');
  const role = second ?? first;
  return isRole(role) ? { role, tenant: second === undefined || first === '*' ? '' : first } : null;
}
export const grantText = ({ tenant, role }: Grant) => (tenant.trim() ? `${tenant.trim()}:${role}` : role);

/** What a token can be limited to, and for whom besides an administrator that is of use. */
export const scopes: { scope: string; key: MessageKey; for: readonly Role[] }[] = [
  { scope: 'layers:read', key: 'scope.layers', for: roles },
  { scope: 'entities:read', key: 'scope.entities', for: roles },
  { scope: 'history:read', key: 'scope.history', for: roles },
  { scope: 'entities:write', key: 'scope.entitiesWrite', for: ['dataSteward'] },
  { scope: 'entities:delete', key: 'scope.entitiesDelete', for: ['dataSteward'] },
  { scope: 'history:write', key: 'scope.historyWrite', for: ['dataSteward'] },
  { scope: 'subscriptions:manage', key: 'scope.subscriptions', for: ['analyst', 'operator', 'dataSteward'] },
  { scope: 'contexts:manage', key: 'scope.contexts', for: ['dataSteward'] },
  { scope: 'sources:read', key: 'scope.sources', for: ['operator', 'dataSteward'] },
  { scope: 'sources:manage', key: 'scope.sourcesManage', for: ['dataSteward'] },
  { scope: 'clock:set', key: 'scope.clock', for: ['operator'] },
  { scope: 'crowd:read', key: 'scope.crowdRead', for: roles },
  { scope: 'crowd:plan', key: 'scope.crowdPlan', for: ['analyst', 'operator'] },
  { scope: 'crowd:act', key: 'scope.crowdAct', for: ['operator'] },
  { scope: 'metrics:read', key: 'scope.metrics', for: ['operator'] },
  { scope: 'users:manage', key: 'scope.users', for: [] },
  { scope: 'audit:read', key: 'scope.audit', for: [] },
];
export const scopesFor = (own: readonly string[]) =>
  scopes.filter((one) => own.includes('administrator') || one.for.some((role) => own.includes(role)));

/** Whether one of the roles may see, plan or act on crowds; the server knows the same table. */
const may = (scope: string) => (own: readonly string[]) => scopesFor(own).some((one) => one.scope === scope);
export const crowd = { mayRead: may('crowd:read'), mayPlan: may('crowd:plan'), mayAct: may('crowd:act') };
