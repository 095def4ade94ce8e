import { nullable, text } from "../values/kinds.ts";
import { setting } from "../setting.ts";

export const processNaming = {
  procName: setting({
    flags: [{ long: "--name", short: "-n" }],
    kind: nullable(text),
    default: null,
    defaultText: "the value of default_proc_name",
    status: "works",
    description: `The name in process titles
It tells the servers of one machine apart in ps and top: gunicorn: master [NAME], gunicorn: worker [NAME]. A title that
is longer than the command line that it replaces is cut. Linux only.`,
  }),
  defaultProcName: setting({
    kind: text,
    default: "gunicorn-ts",
    defaultText: "the app, MODULE:EXPORT",
    status: "works",
    description: `The name in process titles when proc_name isn't set`,
  }),
  djangoSettings: setting({
    flags: [{ long: "--settings" }],
    kind: nullable(text),
    default: null,
    status: { pythonOnly: "pass MODULE:EXPORT" },
    description: `The settings module of a Django app`,
  }),
};
