/** What `import "gunicorn-ts"` gets: the modules that the server itself runs, of its sources or of its bundle. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type * as Modules from "../src/index.ts";

export type * from "../src/index.ts";

const isCheckout = existsSync(join(import.meta.dir, "../src/index.ts"));
// Not awaited: an app may require() this file.
const modules: typeof Modules = require(isCheckout ? "../src/index.ts" : "../dist/index.js");

export const { defineConfig, log, Logger } = modules;
export type Logger = InstanceType<typeof Logger>;
