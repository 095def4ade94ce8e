/** The server's metrics: what each is called, and where in a snapshot it stands. Pure. */
import {
  answerClasses,
  clientTimeouts,
  durationBounds,
  durationSumUs,
  receivedBytes,
  sentBytes,
} from "../../ipc/scoreboard-columns.ts";
import type { Family } from "../../telemetry/metrics/open-metrics.ts";
import { version } from "../../version.ts";
import type { Status } from "../decide/status.ts";
import {
  bySlot,
  counter,
  gauge,
  inBytes,
  inSeconds,
  labelled,
  mostOf,
  one,
  seconds,
  sumOf,
} from "./families.ts";
import { isReady } from "./health.ts";
import type { Snapshot } from "./snapshot.ts";

export function metricsOf(snapshot: Snapshot): readonly Family[] {
  const { countsConnections } = snapshot;
  return [
    ...requests(snapshot),
    ...(countsConnections ? connections(snapshot) : []),
    ...workers(snapshot),
    ...configuration(snapshot),
    ...system(snapshot),
  ];
}

function requests({ status }: Snapshot): readonly Family[] {
  const { totals } = status;
  const byClass = answerClasses.map((each, at) => [each, totals.answers[at] ?? 0] as const);
  return [
    counter(
      "gunicorn_requests",
      "Requests by the class of their status; none is for those whose client left before",
      labelled("status", byClass),
    ),
    {
      name: "gunicorn_request_duration_seconds",
      type: "histogram",
      unit: "seconds",
      help: "From the complete head of a request to the end of its answer",
      samples: [
        {
          labels: {},
          bounds: durationBounds,
          counts: totals.durations.slice(0, durationBounds.length + 1),
          sum: (totals.durations[durationSumUs] ?? 0) / 1e6,
        },
      ],
    },
    counter(
      "gunicorn_app_errors",
      "Errors of the app that the error log was told of",
      one(totals.errors),
    ),
    counter(
      "gunicorn_requests_shed",
      "Requests that were answered with 503 before the app was asked, by shed_latency_ms",
      one(totals.sheds),
    ),
    counter(
      "gunicorn_spans_dropped",
      "Spans of sampled requests that no collector has got",
      one(totals.spansDropped),
    ),
    gauge(
      "gunicorn_requests_in_flight",
      "Requests that the app works on, by slot",
      bySlot(
        status.workers,
        sumOf((worker) => worker.scores?.inFlight),
      ),
    ),
  ];
}

/** What only our own engine counts. */
function connections({ status }: Snapshot): readonly Family[] {
  const { totals, workers: alive } = status;
  const byTimeout = clientTimeouts.map((each, at) => [each, totals.timeouts[at] ?? 0] as const);
  return [
    counter(
      "gunicorn_connections_accepted",
      "Connections that were accepted",
      one(totals.accepted),
    ),
    gauge(
      "gunicorn_connections",
      "Connections that are open, by slot",
      bySlot(
        alive,
        sumOf((worker) => worker.scores?.connections),
      ),
    ),
    inBytes(
      counter(
        "gunicorn_received_bytes",
        "Bytes of HTTP that were received",
        one(totals.bytes[receivedBytes] ?? 0),
      ),
    ),
    inBytes(
      counter(
        "gunicorn_sent_bytes",
        "Bytes of HTTP that were sent",
        one(totals.bytes[sentBytes] ?? 0),
      ),
    ),
    counter(
      "gunicorn_client_timeouts",
      "Clients whose time ran out, by setting",
      labelled("setting", byTimeout),
    ),
  ];
}

function workers({ status, system: { workersCpuSeconds } }: Snapshot): readonly Family[] {
  const alive = status.workers;
  return [
    gauge("gunicorn_workers_wanted", "Workers that there are to be", one(status.target)),
    gauge("gunicorn_workers_ready", "Slots with a worker that serves", one(status.ready)),
    gauge(
      "gunicorn_workers_current",
      "Slots with a worker that serves under the configuration in use",
      one(status.current),
    ),
    gauge("gunicorn_workers_alive", "Worker processes", one(alive.length)),
    counter("gunicorn_workers_started", "Workers that were started", one(status.spawned)),
    counter(
      "gunicorn_workers_ended",
      "Workers that have ended, by reason",
      labelled("reason", Object.entries(status.ended)),
    ),
    ...autoscale(status),
    inSeconds(
      gauge(
        "gunicorn_worker_loop_delay_seconds",
        "How late the last heartbeat was, by slot: so long the event loop was busy",
        bySlot(
          alive,
          mostOf((worker) => seconds(worker.scores?.loopDelayMs)),
        ),
      ),
    ),
    inSeconds(
      gauge(
        "gunicorn_worker_heartbeat_age_seconds",
        "How long ago the last heartbeat was seen, by slot",
        bySlot(
          alive,
          mostOf((worker) => seconds(worker.beatMs)),
        ),
      ),
    ),
    inBytes(
      gauge(
        "gunicorn_worker_resident_memory_bytes",
        "Resident memory, by slot",
        bySlot(
          alive,
          sumOf((worker) => worker.memoryBytes),
        ),
      ),
    ),
    inSeconds(
      counter("gunicorn_workers_cpu_seconds", "CPU time of all workers", one(workersCpuSeconds)),
    ),
  ];
}

/** Only where it has been asked for. */
function autoscale({ autoscale: bounds, autoscaling: { up, down, paused } }: Status): Family[] {
  if (bounds === null && up + down === 0) return [];
  return [
    counter(
      "gunicorn_autoscale_steps",
      "Workers that autoscale has added, and taken away",
      labelled("direction", [
        ["up", up],
        ["down", down],
      ]),
    ),
    gauge(
      "gunicorn_autoscale_paused",
      "1 while the number of workers that an operator has set holds",
      one(Number(paused)),
    ),
  ];
}

function configuration({ status, certificates }: Snapshot): readonly Family[] {
  const expiry = certificates.map(({ name, expiresMs }) => {
    return { labels: { certificate: name }, value: expiresMs / 1000 };
  });
  return [
    gauge("gunicorn_ready", "1 while /ready says so", one(Number(isReady(status)))),
    gauge(
      "gunicorn_generation",
      "The load of the configuration that is in use",
      one(status.generation),
    ),
    counter(
      "gunicorn_configuration_loads",
      "Loads of the configuration, the first one included",
      one(status.loads),
    ),
    gauge(
      "gunicorn_reload_failed",
      "1 while the newest load of the configuration has failed",
      one(Number(status.reloadFailed)),
    ),
    ...(expiry.length === 0
      ? []
      : [
          inSeconds(
            gauge(
              "gunicorn_tls_certificate_expiry_timestamp_seconds",
              "When a certificate expires, since 1970",
              expiry,
            ),
          ),
        ]),
    {
      name: "gunicorn_build",
      type: "info",
      help: "What runs here",
      samples: [{ labels: { version, bun: Bun.version }, value: 1 }],
    },
  ];
}

/** Of the master's process, by the names that all clients of Prometheus use. */
function system({
  system: { startedAt, masterCpuSeconds, masterMemoryBytes, backlog },
}: Snapshot): readonly Family[] {
  return [
    gauge("gunicorn_backlog", "Connections that wait to be accepted", one(backlog)),
    inSeconds(counter("process_cpu_seconds", "CPU time of the master", one(masterCpuSeconds))),
    inBytes(
      gauge(
        "process_resident_memory_bytes",
        "Resident memory of the master",
        one(masterMemoryBytes),
      ),
    ),
    inSeconds(
      gauge("process_start_time_seconds", "When the master started, since 1970", one(startedAt)),
    ),
  ];
}
