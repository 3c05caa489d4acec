/**
 * The few bytes that kernels need besides their operands. Each thread has its own, since all share
 * one memory: `useStatics` gives an instance its place.
 */
export const STATIC_BYTES: i32 = 256

/** 32 floats for tiles that stick out of C. */
export let tileStatic: usize = memory.data(256, 16)
/** 16 floats for ends of lines. */
export let edge: usize = tileStatic + 128
/** 4 floats for the ends of rows. */
export let rest: usize = tileStatic + 192

export function useStatics (at: usize): void {
  tileStatic = at
  edge = at + 128
  rest = at + 192
}
