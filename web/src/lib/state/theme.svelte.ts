/** Light or dark: as the device says, unless the reader chose. The choice is kept on this device. */
export type Theme = 'auto' | 'light' | 'dark';
const STORED = 'polder.theme';

let chosen = $state<Theme>('auto');
let deviceDark = $state(false);

export const theme = {
  get chosen() {
    return chosen;
  },
  get dark() {
    return chosen === 'dark' || (chosen === 'auto' && deviceDark);
  },
  set(value: Theme) {
    chosen = value;
    localStorage.setItem(STORED, value);
    show();
  },
  start() {
    const stored = localStorage.getItem(STORED);
    if (stored === 'light' || stored === 'dark') chosen = stored;
    const query = matchMedia('(prefers-color-scheme: dark)');
    deviceDark = query.matches;
    query.addEventListener('change', (event) => {
      deviceDark = event.matches;
      show();
    });
    show();
  },
};

function show() {
  document.documentElement.dataset.theme = theme.dark ? 'dark' : 'light';
}

/** Whether the reader asked the device for less motion. */
export const reducedMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
