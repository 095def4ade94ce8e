/** What the pages of the admin server are made of: the server's status, and what the system says of its processes. */
import { workerClassOf } from "../../config/worker-classes.ts";
import type { Listeners } from "../../listen/listeners.ts";
import { residentBytes } from "../../os/processes/memory.ts";
import type { TlsCredentials } from "../../tls/credentials.ts";
import { type CertificateFacts, describeCertificate } from "../../tls/describe.ts";
import type { Release } from "../act/configuration/releases.ts";
import type { Counts } from "../decide/counts.ts";
import type { Status } from "../decide/status.ts";

export interface Snapshot {
  readonly status: Status;
  readonly system: SystemFacts;
  /** The connections of the worker class in use are counted, and their bytes: those of our own engine. */
  readonly countsConnections: boolean;
  /** Of those that are served with. */
  readonly certificates: readonly CertificateFacts[];
}

/** Null is what the system doesn't say. */
export interface SystemFacts {
  /** When the master started, in seconds since 1970. */
  readonly startedAt: number;
  readonly masterMemoryBytes: number | null;
  /** Of the masters before it too. */
  readonly masterCpuSeconds: number;
  /** Of all workers that there ever were. */
  readonly workersCpuSeconds: number;
  /** Connections that wait to be accepted. */
  readonly backlog: number;
}

/** Where a snapshot is taken from. */
export interface SnapshotSources {
  /** `busy`: with what workers are busy with. */
  readonly status: (busy: boolean) => Status;
  /** What is counted, by masters before this one too. */
  readonly counts: () => Counts;
  /** The configuration in use. */
  readonly release: () => Pick<Release, "resolved" | "secure">;
  readonly listeners: Pick<Listeners, "waiting">;
}

const described = new WeakMap<TlsCredentials, readonly CertificateFacts[]>();

/** @param busy whether what workers are busy with is wanted: four files of /proc for each */
export function takeSnapshot(
  { status, counts, release, listeners }: SnapshotSources,
  busy: boolean,
): Snapshot {
  const { resolved, secure } = release();
  const { workersCpuSeconds, masterCpuSeconds, ...counted } = counts();
  return {
    status: { ...status(busy), ...counted },
    system: {
      startedAt: performance.timeOrigin / 1000,
      masterMemoryBytes: residentBytes(process.pid),
      masterCpuSeconds,
      workersCpuSeconds,
      backlog: listeners.waiting(),
    },
    countsConnections: workerClassOf(resolved.config.workerClass).countsConnections,
    certificates: secure === null ? [] : certificateFacts(secure.credentials),
  };
}

/** Certificates are parsed once. */
function certificateFacts(credentials: TlsCredentials): readonly CertificateFacts[] {
  const known = described.get(credentials);
  if (known !== undefined) return known;
  const facts = credentials.certificates.map(describeCertificate);
  described.set(credentials, facts);
  return facts;
}
