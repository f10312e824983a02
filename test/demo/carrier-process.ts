import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface CarrierProcess {
  /** The URL of its control API. */
  control: string;
  /** Where SignalWire's RELAY and REST would be. */
  origin: string;
  stop(): void;
}

/** The carrier as its own process on a free port; what it complains of goes to our stderr. */
export async function startCarrierProcess(): Promise<CarrierProcess> {
  const main = join(import.meta.dirname, "../carrier/main.ts");
  const carrier = spawn(process.execPath, [main, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: carrier.stdout }).once("line", resolve);
    carrier.once("exit", (code) => reject(new Error(`the carrier ended with ${code} before it was ready`)));
  });
  const { control, rest } = JSON.parse(line) as { control: string; rest: string }; // The carrier's ready line.
  return { control, origin: rest, stop: () => carrier.kill() };
}
