// What is held of the pages' JavaScript: names are known, used and declared once; the rest is taste and left alone.
import globals from "globals"

export default [
  { files: ["seqdemo/**/*.js"], languageOptions: { globals: { ...globals.browser, PYTHON: "readonly" } } },
  { files: ["tests/js/**/*.js"], languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ["**/*.js"],
    languageOptions: { ecmaVersion: 2023, sourceType: "module" },
    rules: {
      "no-undef": "error",
      "no-unused-vars": ["error", { args: "after-used", ignoreRestSiblings: true }],
      "no-redeclare": "error",
      "no-shadow": "off",
      "no-const-assign": "error",
      "no-dupe-keys": "error",
      "no-unreachable": "error",
      "no-fallthrough": "error",
      "no-self-compare": "error",
      "no-implied-eval": "error",
      "prefer-const": "error",
      eqeqeq: "error",
    },
  },
]
