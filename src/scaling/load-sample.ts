/** What a server and its machine were like at one moment, as far as the number of workers depends on it. */

export interface LoadSample {
  /** By a clock that only goes forward. */
  readonly atMs: number;
  /** How many workers there are to be. */
  readonly wanted: number;
  /** Those that serve. */
  readonly workers: readonly WorkerLoad[];
  /** Connections that wait to be accepted. */
  readonly backlog: number;
  readonly machine: MachineLoad;
  readonly bounds: WorkerBounds;
}

/** Null is what the system doesn't say. */
export interface WorkerLoad {
  readonly age: number;
  readonly slot: number;
  /** Of its life so far. */
  readonly cpuSeconds: number | null;
  /** How late its last heartbeat was, and how long ago that was seen: so long its event loop was busy. */
  readonly loopDelayMs: number;
  readonly beatMs: number;
  /** Requests that its app works on. */
  readonly inFlight: number;
  readonly connections: number;
  /** Of its life so far. */
  readonly requests: number;
  readonly memoryBytes: number | null;
}

export interface MachineLoad {
  /** That the server may use: by its affinity and its cgroup, so it may be one and a half. */
  readonly cpus: number;
  /** How long all CPUs together were idle since the machine started. */
  readonly idleSeconds: number | null;
  /** Memory that may still be taken. */
  readonly freeBytes: number | null;
}

/** What a worker takes at a time; null for no bound. */
export interface WorkerBounds {
  /** Requests that its app has: `threads`, and one for the class `sync`. */
  readonly turns: number | null;
  /** Clients: `worker_connections`. */
  readonly connections: number | null;
}
