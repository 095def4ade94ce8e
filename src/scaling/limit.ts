/**
 * What keeps the workers from doing more. `none`: nothing does. `workers`: the CPU that one event loop can use; `machine`: all
 * CPUs are in use, by the workers or by others; `memory`: there is none for more workers; `app`: it waits for others; `turns`:
 * `threads`, or the one request of `sync`; `connections`: `worker_connections`; `standstill`: the app waits in calls that block;
 * `hanging`: an event loop that doesn't come back; `balance`: one worker has what the others could do; `no load`: too little
 * comes to say.
 */
export type Limit =
  | "none"
  | "workers"
  | "machine"
  | "memory"
  | "app"
  | "turns"
  | "connections"
  | "standstill"
  | "hanging"
  | "balance"
  | "no load";
