/** What every page needs of the server: the city, the catalogue and who is signed in. Filled by the root `+layout.ts`. */
import type { Catalogue, City, Indicator, Layer, Session } from '$lib/api/types';
import { crowd } from '$lib/roles';

class App {
  city = $state.raw<City>()!;
  catalogue = $state.raw<Catalogue>({ groups: [], layers: [] });
  indicators = $state.raw<Indicator[]>([]);
  session = $state.raw<Session>({
    signedIn: false,
    roles: [],
    tenants: [],
    csrf: '',
    oidc: { enabled: false },
    open: false,
  });

  get layers(): Layer[] {
    return this.catalogue.layers;
  }
  layer(id: string | null | undefined): Layer | undefined {
    return this.catalogue.layers.find((layer) => layer.id === id);
  }
  /** Whether the reader may change the city's clock. */
  get mayOperate() {
    const { open, roles } = this.session;
    return open || roles.some((role) => role === 'operator' || role === 'administrator');
  }
  /** Whether the reader may manage accounts and read the audit. */
  get mayManage() {
    const { open, roles } = this.session;
    return open || roles.includes('administrator');
  }
  /** Whether the reader may see the crowding of events, plan them, and act while they run. */
  get mayReadCrowd() {
    return this.session.open || crowd.mayRead(this.session.roles);
  }
  get mayPlanCrowd() {
    return this.session.open || crowd.mayPlan(this.session.roles);
  }
  get mayActCrowd() {
    return this.session.open || crowd.mayAct(this.session.roles);
  }
  /** Whether the reader may have tokens: a person with some role. */
  get mayHaveTokens() {
    return this.session.signedIn && this.session.roles.length > 0;
  }
}

export const app = new App();
