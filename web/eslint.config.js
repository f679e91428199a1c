import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import config from './svelte.config.js';

export default ts.config(
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    // Links are plain URLs of this app, which is always served from the root of its host.
    rules: {
      // TypeScript knows what is defined.
      'no-undef': 'off',
      'svelte/no-navigation-without-resolve': 'off',
      // What must be reactive says so with `$state`; plain maps and dates beside it are meant to be plain.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig: config } },
  },
  { ignores: ['build/', '.svelte-kit/', 'src/lib/api/schema.d.ts'] },
);
