// program SDK DSN: a program in minified code whose error is sent. Prints the event's id.
import { checkout } from "./main";

declare const require: (name: string) => any;
declare const process: { argv: string[] };

const Sentry = require(process.argv[2]!);
Sentry.init({ dsn: process.argv[3], release: "shop@3.1.4", environment: "conformance" });

async function main(): Promise<void> {
  try {
    await checkout([{ name: "apple" }]);
  } catch (error) {
    console.log(Sentry.captureException(error));
  }
  if (!(await Sentry.flush(10_000))) throw new Error("not everything was sent");
}

void main();
