import type { Disk } from "./disk.ts";

/** SignalWire has a recording's file by then, as a rule. */
const GRACE_MS = 10_000;
/** Waits before a copy is tried again; after the last it is given up. */
const AGAIN_MS = [60_000, 300_000, 1_800_000, 7_200_000, 21_600_000, 86_400_000] as const;
/** A deletion is never given up. */
const DELETE_AGAIN_MS = 3_600_000;

/** wanted: to be made. kept: it is there. failed: given up. deleting: its recording is kept no more. */
type CopyState = "wanted" | "kept" | "failed" | "deleting";

/** A row of the table: the copy of one recording. Times are ms. */
export interface RecordingCopy {
  recording: string;
  tenant: string;
  state: CopyState;
  /** Hex. */
  sha256: string | null;
  size_bytes: number | null;
  copied_at: number | null;
  /** Tries that failed. */
  attempts: number;
  due_at: number | null;
}

/** A copy that is there, as the API shows it. */
export interface CopyView {
  sha256: string;
  size_bytes: number;
  copied_at: number;
}

type Row = RecordingCopy & Record<string, SqlStorageValue>;

const COLUMNS = "recording, tenant, state, sha256, size_bytes, copied_at, attempts, due_at";

/**
 * RecordingCopies — the table of copies of recordings' sound, which is also the queue of those that are to be made and deleted. Without a bucket
 * it stays empty, and is read once. Used by Recordings, which says when one comes and goes, and by RecordingCopier.
 */
export class RecordingCopies {
  readonly #disk: Disk;
  readonly #now: () => number;
  /** Told when one is due sooner than before; null: copies are not wanted. */
  #rescheduled: (() => void) | null = null;
  /** Undefined: not looked yet. */
  #areAny: boolean | undefined;
  /** What `nextDue` found last; undefined since the table changed. */
  #nextDue: number | null | undefined;

  constructor(disk: Disk, now: () => number) {
    this.#disk = disk;
    this.#now = now;
  }

  /** From now on each recording that is completed is to be copied. */
  begin(rescheduled: () => void): void {
    this.#rescheduled = rescheduled;
  }

  /** The recording is completed. */
  want({ id, tenant }: { id: string; tenant: string }): void {
    if (!this.#rescheduled) return;
    this.#areAny = true;
    const added = this.#disk.attempt(
      `INSERT OR IGNORE INTO recording_copies (recording, tenant, state, attempts, due_at) VALUES (?, ?, 'wanted', 0, ?)`,
      id,
      tenant,
      this.#now() + GRACE_MS,
    );
    if (added) this.#changed();
  }

  /** The recording is kept no more: its copy goes, too, even one that is being made now. */
  drop(recording: string): void {
    if (!this.#hasAny()) return;
    this.#disk.exec(
      "UPDATE recording_copies SET state = 'deleting', attempts = 0, due_at = ? WHERE recording = ?",
      this.#now(),
      recording,
    );
    this.#changed();
  }

  find(recording: string): RecordingCopy | null {
    const [row] = this.#disk.exec<Row>(
      `SELECT ${COLUMNS} FROM recording_copies WHERE recording = ?`,
      recording,
    );
    return row ?? null;
  }

  /** null: there is none. */
  viewOf(recording: string): CopyView | null {
    const row = this.#hasAny() ? this.find(recording) : null;
    if (row?.state !== "kept" || row.sha256 === null) return null;
    return { sha256: row.sha256, size_bytes: row.size_bytes ?? 0, copied_at: row.copied_at ?? 0 };
  }

  /** The one that is due first, to be worked on; it comes again after `lease_ms`, in case the object is lost. */
  takeDue(lease_ms: number): RecordingCopy | null {
    const [row] = this.#disk.exec<Row>(
      `SELECT ${COLUMNS} FROM recording_copies INDEXED BY recording_copies_by_due
       WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at LIMIT 1`,
      this.#now(),
    );
    if (!row) return null;
    this.#update(row, { due_at: this.#now() + lease_ms });
    return row;
  }

  /** When one is next due, ms. */
  nextDue(): number | null {
    if (this.#nextDue === undefined) {
      const [row] = this.#disk.exec<{ due_at: number | null }>(
        "SELECT MIN(due_at) AS due_at FROM recording_copies INDEXED BY recording_copies_by_due WHERE due_at IS NOT NULL",
      );
      this.#nextDue = row?.due_at ?? null;
    }
    return this.#nextDue;
  }

  /** The copy is there. One whose recording went meanwhile is still to be deleted. */
  made({ recording }: RecordingCopy, { sha256, size_bytes }: Pick<CopyView, "sha256" | "size_bytes">): void {
    this.#disk.exec(
      `UPDATE recording_copies SET state = 'kept', sha256 = ?, size_bytes = ?, copied_at = ?, due_at = NULL
       WHERE recording = ? AND state = 'wanted'`,
      sha256,
      size_bytes,
      this.#now(),
      recording,
    );
    this.#disk.exec(
      "UPDATE recording_copies SET due_at = ? WHERE recording = ? AND state = 'deleting'",
      this.#now(),
      recording,
    );
    this.#changed();
  }

  deleted({ recording }: RecordingCopy): void {
    this.#disk.exec("DELETE FROM recording_copies WHERE recording = ?", recording);
    this.#changed();
  }

  /** It did not work, and is tried again; false: it is given up. */
  failed(row: RecordingCopy): boolean {
    const now = this.find(row.recording);
    if (now?.state === "deleting") {
      // At once where the recording went while its copy was being made.
      const due_at = this.#now() + (row.state === "deleting" ? DELETE_AGAIN_MS : 0);
      this.#update(now, { due_at });
      return true;
    }
    const wait_ms = AGAIN_MS[row.attempts];
    this.#update(row, {
      attempts: row.attempts + 1,
      ...(wait_ms === undefined ? { state: "failed", due_at: null } : { due_at: this.#now() + wait_ms }),
    });
    return wait_ms !== undefined;
  }

  #update(
    { recording, ...row }: RecordingCopy,
    changes: Partial<Pick<RecordingCopy, "state" | "attempts" | "due_at">>,
  ): void {
    const { state, attempts, due_at } = { ...row, ...changes };
    this.#disk.exec(
      "UPDATE recording_copies SET state = ?, attempts = ?, due_at = ? WHERE recording = ?",
      state,
      attempts,
      due_at,
      recording,
    );
    this.#changed();
  }

  #changed(): void {
    this.#nextDue = undefined;
    this.#rescheduled?.();
  }

  #hasAny(): boolean {
    if (this.#areAny === undefined) {
      const [row] = this.#disk.exec(
        "SELECT recording FROM recording_copies WHERE recording > '' ORDER BY recording LIMIT 1",
      );
      this.#areAny = row !== undefined;
    }
    return this.#areAny;
  }
}
