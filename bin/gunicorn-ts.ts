#!/usr/bin/env bun
import { existsSync } from "node:fs";
import { join } from "node:path";
import type * as Program from "../src/cli/start.ts";

// A checkout has the sources; the package has what prepack has made of them.
const isCheckout = existsSync(join(import.meta.dir, "../src/index.ts"));
const program: typeof Program = await import(
  isCheckout ? "../src/cli/start.ts" : "../dist/cli/start.js"
);
process.exit(await program.start(process.argv.slice(2)));
