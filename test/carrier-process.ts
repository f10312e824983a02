import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    /** The control URL of the carrier that all test files share, each with projects of its own. */
    carrier: string;
  }
}

/** Starts the carrier as its own process before the tests, and stops it after. */
export default async function setup(project: TestProject): Promise<() => void> {
  const carrier = spawn(process.execPath, ["test/carrier/main.ts", "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: carrier.stdout }).once("line", resolve);
    carrier.once("exit", (code) => reject(new Error(`the carrier ended with ${code} before it was ready`)));
  });
  const { control } = JSON.parse(line) as { control: string };
  project.provide("carrier", control);
  return () => {
    carrier.kill();
  };
}
