/**
 * The one table of worker classes: what whoever doesn't load their code has to know of them. Refusals, the kind of
 * socket, the program's first import, advice in messages and docs/settings.md derive from it.
 */

export interface WorkerClassRow {
  /** Where its code is; null for a class of the user's own, whose name is its reference. */
  readonly code: ClassCode | null;
  /**
   * `inherited`: the master's listening sockets; `own`: each worker opens its own, and the master only keeps the port.
   */
  readonly sockets: "inherited" | "own";
  /**
   * It frees accepted connections of what src/os/sockets/listening/hop-limit.ts does to sockets that the master is about to
   * close.
   */
  readonly freesAccepted: boolean;
  /** It counts connections and their bytes in the scoreboard. */
  readonly countsConnections: boolean;
  /** New connections of secure listeners get renewed credentials at once; else its workers are replaced for them. */
  readonly takesNewCredentials: boolean;
  /** Settings that it can't honour, by their keys, and why: to set one is refused. */
  readonly refuses: Readonly<Record<string, string>>;
  /** Settings of which it can honour some values only. */
  readonly takesOnly: Readonly<Record<string, OnlyValues>>;
  /** Variables of the environment that it can't honour, and why. */
  readonly refusesEnvironment: Readonly<Record<string, string>>;
  /**
   * What an app may bring for Bun.serve: null where it is taken, else what to say before the advice to use another
   * class.
   */
  readonly app: Readonly<Record<AppFeature, string | null>>;
  /** It finds the app's `routes` itself. For the others the app's fetch does so. */
  readonly hasRouter: boolean;
  /** Options of an app for Bun.serve that aren't used, and the setting that says the same. */
  readonly unusedOptions: Readonly<Record<string, string>>;
}

/** That of a class that comes with the package. */
export interface BuiltInRow extends WorkerClassRow {
  readonly code: ClassCode;
}

export interface OnlyValues {
  /** As --print-config shows them. */
  readonly values: readonly string[];
  /** Why no other one is taken. */
  readonly why: string;
}

export interface ClassCode {
  /** From src, without its extension. */
  readonly source: string;
  /** The name that it exports the class by. */
  readonly export: string;
}

export type AppFeature = "websocket";

const ownReader = "Bun.serve reads requests itself";
const ownTimer = "Bun.serve has one idle timer for keep-alive, uploads and responses together";
const http1Only = "it speaks HTTP/1.1 only, use --worker-class serve";

/** What it says of each setting that is about other protocols than HTTP/1.1. */
const speaksHttp1 = {
  httpProtocols: { values: ["h1"], why: http1Only },
  http2Cleartext: { values: ["off"], why: http1Only },
} as const;

const noHttp2 = {
  http2MaxConcurrentStreams: http1Only,
  http2InitialWindowSize: http1Only,
  http2MaxFrameSize: http1Only,
  http2MaxHeaderListSize: http1Only,
} as const;

/** Bun.serve has no option for any of its HTTP/2 limits (Bun 1.4.5, its SETTINGS frame). */
function fixedAt(value: number): OnlyValues {
  return { values: [String(value)], why: `Bun.serve's own is ${value}, and can't be set` };
}

/** The compiler learns the names, and no more: the package's declarations would repeat every text of the table. */
function table<Name extends string>(rows: Readonly<Record<Name, BuiltInRow>>): typeof rows {
  return rows;
}

export const workerClasses = table({
  async: {
    code: { source: "worker/classes/async", export: "AsyncServing" },
    sockets: "inherited",
    freesAccepted: true,
    countsConnections: true,
    takesNewCredentials: true,
    refuses: noHttp2,
    takesOnly: speaksHttp1,
    refusesEnvironment: {},
    app: {
      websocket: null,
    },
    hasRouter: false,
    unusedOptions: {
      maxRequestBodySize: "limit_request_body",
      idleTimeout: "keepalive, body_timeout and write_timeout",
    },
  },
  sync: {
    code: { source: "worker/classes/sync", export: "SyncServing" },
    sockets: "inherited",
    freesAccepted: true,
    countsConnections: true,
    takesNewCredentials: true,
    refuses: {
      ...noHttp2,
      keepalive: "each connection ends with its answer",
      websocketMaxMessageSize: "a websocket would keep the worker from all other requests",
    },
    takesOnly: speaksHttp1,
    refusesEnvironment: {},
    app: {
      websocket: "a websocket would keep the worker from all other requests",
    },
    hasRouter: false,
    unusedOptions: {
      maxRequestBodySize: "limit_request_body",
      idleTimeout: "body_timeout and write_timeout",
    },
  },
  serve: {
    code: { source: "worker/classes/serve", export: "BunServing" },
    sockets: "own",
    freesAccepted: false,
    countsConnections: false,
    takesNewCredentials: false,
    refuses: {
      limitRequestLine: `${ownReader}, with a limit of its own`,
      limitRequestFields: `${ownReader} and doesn't count fields`,
      limitRequestFieldSize: `${ownReader}, with a limit of its own`,
      limitRequestBody: `${ownReader}, its limit is the app's option maxRequestBodySize`,
      headerTimeout: `${ownReader}, with a limit of its own`,
      bodyTimeout: ownTimer,
      writeTimeout: ownTimer,
      keepalive: `${ownTimer}, the app's option idleTimeout`,
      sendfile: "Bun.serve sends files its own way",
      asgiDisconnectGracePeriod: "Bun.serve aborts a request as soon as its client sends FIN",
      backlog: "Bun.serve opens its own sockets and takes no backlog",
      enableBacklogMetric: "the sockets that have queues are the workers' own",
      threads: "Bun.serve takes all requests that come",
      workerConnections: "Bun.serve accepts without a bound",
      secureSchemeHeaders: `${ownReader} and makes their URLs`,
      forwardedAllowIps: `${ownReader} and makes their URLs`,
      proxyProtocol: `${ownReader} and knows no PROXY header`,
      proxyAllowIps: `${ownReader} and knows no PROXY header`,
      permitObsoleteFolding: ownReader,
      stripHeaderSpaces: ownReader,
      permitUnconventionalHttpMethod: ownReader,
      permitUnconventionalHttpVersion: ownReader,
      casefoldHttpMethod: ownReader,
      forwarderHeaders: ownReader,
      headerMap: ownReader,
      rootPath: "the app gets Bun's own server object",
    },
    takesOnly: {
      reusePort: { values: ["true"], why: "each Bun.serve opens a socket of its own" },
      certReqs: {
        values: ["0", "2"],
        why: "Bun.serve would let in clients with anybody's certificate, use --worker-class async",
      },
      http2Cleartext: {
        values: ["off", "prior-knowledge"],
        why: "Bun.serve ignores `Upgrade: h2c`, use prior-knowledge",
      },
      http2MaxConcurrentStreams: fixedAt(256),
      http2InitialWindowSize: fixedAt(65_536),
      http2MaxFrameSize: fixedAt(16_384),
      http2MaxHeaderListSize: fixedAt(16_384),
    },
    refusesEnvironment: { SCRIPT_NAME: `${ownReader} and makes their URLs` },
    app: { websocket: null },
    hasRouter: true,
    unusedOptions: {},
  },
});

export type BuiltInClass = keyof typeof workerClasses;

/** A class of the user's own, MODULE:CLASS. */
export type OwnClass = `${string}:${string}`;

export type WorkerClass = BuiltInClass | OwnClass;

/** Of every class of the user's own: nobody knows what it honours, so that nothing is refused for it. */
const ownClass: WorkerClassRow = {
  code: null,
  sockets: "inherited",
  freesAccepted: false,
  countsConnections: false,
  takesNewCredentials: false,
  refuses: {},
  takesOnly: {},
  refusesEnvironment: {},
  app: { websocket: null },
  hasRouter: true,
  unusedOptions: {},
};

/** The row of a class. */
export function workerClassOf(name: WorkerClass): WorkerClassRow {
  return isOwnClass(name) ? ownClass : workerClasses[name];
}

export function isOwnClass(name: WorkerClass): name is OwnClass {
  return name.includes(":");
}

/** Every built-in class by its name, in the order in which messages list them. */
export const workerClassEntries = Object.entries(workerClasses) as readonly (readonly [
  BuiltInClass,
  WorkerClassRow,
])[];

/** The flag `--worker-class serve`, of the first class that does what another can't. */
function flagOf(does: (row: WorkerClassRow) => boolean): string {
  const [name] = workerClassEntries.find(([, row]) => does(row)) ?? [];
  return `--worker-class ${name}`;
}

/** The flag by which an app gets what its worker class doesn't take. */
export function flagFor(feature: AppFeature): string {
  return flagOf(({ app }) => app[feature] === null);
}

/** What worker classes of their own sockets say of those that the master has. */
export function refuseTakingOver(name: WorkerClass): string {
  const flag = flagOf(({ sockets }) => sockets === "inherited");
  return `worker class ${name} can't take over sockets, use ${flag}`;
}
