import type { Facts } from "../../../src/config/values/kinds.ts";

/** A machine with seven CPUs. */
export const facts: Facts = { cwd: "/srv", platform: "linux", cpuCount: () => 7 };
