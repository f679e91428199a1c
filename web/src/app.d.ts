/** Ambient types of the app: nothing is kept on the server side, so `App` stays empty. */
declare global {
  namespace App {}
}
export {};
