/** What the environment of OpenTelemetry's SDKs says, as far as it concerns this server. Pure. */
import type { Sampler } from "./trace-context.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** How spans are sent: the words of OTEL_BSP_* and OTEL_EXPORTER_OTLP_TIMEOUT. */
export interface ExportLimits {
  /** How long a span waits for others. */
  readonly delayMs: number;
  /** How many may wait. */
  readonly queueSize: number;
  /** How many go in one request. */
  readonly batchSize: number;
  readonly timeoutMs: number;
}

export interface TraceSettings {
  /** Where spans are posted. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: Sampler;
  readonly limits: ExportLimits;
  /** What isn't honoured, a sentence each. */
  readonly remarks: readonly string[];
}

const standardPort = "http://localhost:4318";
const path = "v1/traces";

/**
 * @param endpoint the setting otel_endpoint: a URL, or `env`
 * @param sample the setting otel_sample; null: what the environment says
 * @param serviceName where the environment names none
 * @returns null where the environment switches it off
 */
export function readTraceSettings(
  endpoint: string,
  sample: number | null,
  serviceName: string,
  env: Environment,
): TraceSettings | null {
  const given = (name: string) => env[name]?.trim() || null;
  if (given("OTEL_SDK_DISABLED")?.toLowerCase() === "true") return null;
  const remarks: string[] = [];
  const exporter = given("OTEL_TRACES_EXPORTER") ?? "otlp";
  if (exporter === "none") return null;
  if (exporter !== "otlp") remarks.push(`OTEL_TRACES_EXPORTER is ${exporter}: otlp is used`);
  const protocol =
    given("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") ?? given("OTEL_EXPORTER_OTLP_PROTOCOL");
  if (protocol !== null && protocol !== "http/json")
    remarks.push(`the protocol of OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}: http/json is spoken`);
  const { sampler, remark } = readSampler(
    sample,
    given("OTEL_TRACES_SAMPLER"),
    given("OTEL_TRACES_SAMPLER_ARG"),
  );
  if (remark !== null) remarks.push(remark);
  const attributes = readPairs(given("OTEL_RESOURCE_ATTRIBUTES"));
  return {
    url: urlOf(
      endpoint,
      given("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
      given("OTEL_EXPORTER_OTLP_ENDPOINT"),
    ),
    headers: {
      ...readPairs(given("OTEL_EXPORTER_OTLP_HEADERS")),
      ...readPairs(given("OTEL_EXPORTER_OTLP_TRACES_HEADERS")),
    },
    resource: {
      "service.name": serviceName,
      ...attributes,
      ...(given("OTEL_SERVICE_NAME") === null
        ? {}
        : { "service.name": given("OTEL_SERVICE_NAME")! }),
    },
    sampler,
    limits: readLimits(given),
    remarks,
  };
}

/** Their defaults, and whatever isn't a whole number above 0, are the specification's. */
function readLimits(given: (name: string) => string | null): ExportLimits {
  const number = (fallback: number, ...names: readonly string[]) => {
    const text = names.map(given).find((each) => each !== null) ?? "";
    return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : fallback;
  };
  const queueSize = number(2048, "OTEL_BSP_MAX_QUEUE_SIZE");
  const ofTraces = "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT";
  return {
    delayMs: number(5000, "OTEL_BSP_SCHEDULE_DELAY"),
    queueSize,
    batchSize: Math.min(queueSize, number(512, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE")),
    timeoutMs: number(10_000, ofTraces, "OTEL_EXPORTER_OTLP_TIMEOUT"),
  };
}

/** The endpoint for traces alone is used as it is; the others are those of all signals (OTLP exporter specification). */
function urlOf(endpoint: string, ofTraces: string | null, ofAll: string | null): string {
  if (endpoint === "env" && ofTraces !== null) return ofTraces;
  const base = endpoint === "env" ? (ofAll ?? standardPort) : endpoint;
  if (base.endsWith(`/${path}`)) return base;
  return base.endsWith("/") ? base + path : `${base}/${path}`;
}

/** `key=value,key=value`, percent-encoded (W3C Baggage); what isn't a pair is left out. */
export function readPairs(text: string | null): Record<string, string> {
  const pairs = (text ?? "").split(",").flatMap((pair) => {
    const at = pair.indexOf("=");
    const key = pair.slice(0, at).trim();
    return at < 1 || key === "" ? [] : [[decode(key), decode(pair.slice(at + 1).trim())] as const];
  });
  return Object.fromEntries(pairs);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that encodes nothing stands for itself.
    return text;
  }
}

const all = { parentBased: true, ratio: 1 } as const;

function readSampler(
  sample: number | null,
  name: string | null,
  arg: string | null,
): { readonly sampler: Sampler; readonly remark: string | null } {
  const known = (sampler: Sampler, remark: string | null = null) => ({ sampler, remark });
  if (sample !== null) return known({ parentBased: true, ratio: sample });
  const given = Number(arg ?? "1");
  const ratio = given >= 0 && given <= 1 ? given : 1;
  const remark = ratio === given ? null : `OTEL_TRACES_SAMPLER_ARG is ${arg}: 1 is used`;
  switch (name) {
    case null:
    case "parentbased_always_on":
      return known(all);
    case "always_on":
      return known({ parentBased: false, ratio: 1 });
    case "always_off":
      return known({ parentBased: false, ratio: 0 });
    case "parentbased_always_off":
      return known({ parentBased: true, ratio: 0 });
    case "traceidratio":
      return known({ parentBased: false, ratio }, remark);
    case "parentbased_traceidratio":
      return known({ parentBased: true, ratio }, remark);
    default:
      return known(all, `OTEL_TRACES_SAMPLER is ${name}: parentbased_always_on is used`);
  }
}
