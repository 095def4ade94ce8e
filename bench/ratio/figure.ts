/** What one turn of one side has shown. */
export interface Figure {
  /** In the load's unit; smaller is better. */
  readonly value: number;
  readonly requestsPerSecond: number | null;
  readonly errors: number;
  /** The share of a CPU that the load generator needed; near 1 it is the bottleneck. */
  readonly driverBusy: number | null;
}
