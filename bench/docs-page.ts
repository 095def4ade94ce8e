/** The page that --write-docs writes to: docs/benchmarks.md, or another one by --docs. */
import { join, resolve } from "node:path";
import { BenchError } from "./errors.ts";
import type { Options } from "./options.ts";

const ownPage = join(import.meta.dir, "../docs/benchmarks.md");

export const docsFlag = {
  type: "string",
  valueHint: "FILE",
  description: "Another file than docs/benchmarks.md",
  default: ownPage,
} as const;

/** The page; null without --write-docs. Throws BenchError for our own page and a smoke run. */
export function readDocsPage(options: Options): string | null {
  if (!options.on("write-docs")) return null;
  const page = resolve(options.text("docs") ?? "");
  if (page === ownPage && options.on("smoke")) {
    throw new BenchError("a smoke run proves nothing: no --write-docs with --smoke");
  }
  return page;
}
