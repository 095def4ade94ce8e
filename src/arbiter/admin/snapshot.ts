/** What the pages of the admin server are made of: the server's status, and what the system says of its processes. */
import { workerClassOf } from "../../config/worker-classes.ts";
import type { Listeners } from "../../listen/listeners.ts";
import { residentBytes } from "../../os/processes/memory.ts";
import { cpuSeconds } from "../../os/processes.ts";
import type { TlsCredentials } from "../../tls/credentials.ts";
import { type CertificateFacts, describeCertificate } from "../../tls/describe.ts";
import type { Children } from "../act/children.ts";
import type { Release } from "../act/configuration/releases.ts";
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
  readonly masterCpuSeconds: number | null;
  /** Of all workers of the master's life. */
  readonly workersCpuSeconds: number;
  /** Connections that wait to be accepted. */
  readonly backlog: number;
}

/** Where a snapshot is taken from. */
export interface SnapshotSources {
  readonly status: () => Status;
  /** The configuration in use. */
  readonly release: () => Pick<Release, "resolved" | "secure">;
  readonly children: Pick<Children, "cpuSeconds">;
  readonly listeners: Pick<Listeners, "waiting">;
}

const described = new WeakMap<TlsCredentials, readonly CertificateFacts[]>();

export function takeSnapshot({ status, release, children, listeners }: SnapshotSources): Snapshot {
  const { resolved, secure } = release();
  return {
    status: status(),
    system: {
      startedAt: performance.timeOrigin / 1000,
      masterMemoryBytes: residentBytes(process.pid),
      masterCpuSeconds: cpuSeconds(process.pid),
      workersCpuSeconds: children.cpuSeconds(),
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
