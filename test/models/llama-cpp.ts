import type { Llama } from 'node-llama-cpp'

/** llama.cpp from its prebuilt binary, without graphics card, build or download; undefined with the reason if there is none. */
export async function llamaCpp (): Promise<{ llama: Llama } | { reason: string }> {
  try {
    const { getLlama, LlamaLogLevel } = await import('node-llama-cpp')
    return { llama: await getLlama({ gpu: false, build: 'never', skipDownload: true, progressLogs: false, maxThreads: 1, logLevel: LlamaLogLevel.error }) }
  } catch (cause) {
    return { reason: cause instanceof Error ? cause.message : String(cause) }
  }
}
