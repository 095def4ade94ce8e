/**
 * Where ours answers otherwise than Bun.serve, and why. docs/http.md holds the same sentences. Applied one after another to what
 * Bun.serve says, the cases must give exactly what ours says; a case that changes nothing any more fails the test too.
 */
import type { Difference } from "./case.ts";
import { bodyDifferences } from "./table-bodies.ts";
import { failureDifferences } from "./table-failures.ts";
import { headDifferences } from "./table-heads.ts";

/** In this order: the last cases look at what the first ones have made of an answer. */
export const table: readonly Difference[] = [
  ...failureDifferences,
  ...bodyDifferences,
  ...headDifferences,
];
