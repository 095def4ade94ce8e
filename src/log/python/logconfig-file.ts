/**
 * Finds the logging configuration, whichever of the three settings has it, and reads it once for master and workers.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "../../api/errors.ts";
import type { ConfigData } from "../../config/types.ts";
import { builtInPlan } from "../plan-logs.ts";
import { applyLogconfig, type Logconfig } from "./logconfig.ts";
import { parseLoggingIni } from "./ini.ts";
import { got, refuse, type Values } from "./values.ts";

/**
 * The content of the logging configuration in force: logconfig_dict, else logconfig_json, else logconfig.
 * @throws ConfigError for a file that can't be read, and for what isn't supported
 */
export function readLogconfig(config: ConfigData): Values {
  const logconfig = choose(config);
  // Here the messages name the file, and a worker only sees the values.
  applyLogconfig(logconfig, builtInPlan(config), config);
  return logconfig.values;
}

function choose(config: ConfigData): Logconfig {
  const { logconfig, logconfigDict, logconfigJson, chdir } = config;
  if (Object.keys(logconfigDict).length > 0) {
    return { place: "logconfig_dict", values: logconfigDict };
  }
  if (logconfigJson !== null) return readJson("logconfig_json", logconfigJson, chdir);
  if (logconfig === null) return { place: "logconfig", values: {} };
  if (logconfig.endsWith(".json")) return readJson("logconfig", logconfig, chdir);
  const place = `logconfig: ${logconfig}`;
  return { place, values: parseLoggingIni(readText("logconfig", logconfig, chdir), place) };
}

function readJson(setting: string, file: string, chdir: string): Logconfig {
  const place = `${setting}: ${file}`;
  const text = readText(setting, file, chdir);
  const values = parseJson(text, place);
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    return refuse(place, `must be an object, got ${got(values)}`);
  }
  return { place, values: values as Values };
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return refuse(place, (error as SyntaxError).message);
  }
}

function readText(setting: string, file: string, chdir: string): string {
  if (file === "") refuse(setting, "must name a file, got ''");
  try {
    return readFileSync(resolve(chdir, file), "utf8").replace(/^\ufeff/, "");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Gunicorn's words.
    const why = code === "ENOENT" ? "not found" : message;
    throw new ConfigError(`${setting}: log config '${file}' ${why}`);
  }
}
