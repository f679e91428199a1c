/** Large type, for a screen that is read from five metres. The choice is kept on this device. */
const STORED = 'polder.crowd.large';
let on = $state(false);

export const large = {
  get on() {
    return on;
  },
  set(value: boolean) {
    on = value;
    localStorage.setItem(STORED, value ? 'on' : '');
    document.documentElement.classList.toggle('large-type', value);
  },
  /** Holds for as long as the screen is open: other pages keep their own size. */
  start(): () => void {
    this.set(localStorage.getItem(STORED) === 'on');
    return () => document.documentElement.classList.remove('large-type');
  },
};
