import { Command, Option } from 'commander'
import { integer } from './arguments.ts'
import { contextOf, examples } from './context.ts'
import type { ImportOptions } from './run-model.ts'

/** `datanet model`: base models of other people. */
export function modelCommand (): Command {
  const command = new Command('model').description('bring and look at base models')

  command.addCommand(importCommand())
  command.addCommand(showCommand())

  return examples(command, ['datanet model import ./SmolLM2-135M', 'datanet model show model.gguf'])
}

function importCommand (): Command {
  const command = new Command('import')
    .description('put a model into the store of a node that is not running: Llama, SmolLM2, Mistral, Qwen2 or GPT-2, as safetensors, GGUF (f32, f16, bf16, q8_0, q4_0 to q5_1, q2_k to q6_k, iq4) or llama2.c')
    .argument('<path>', 'a folder with config.json, a .gguf file, or a checkpoint of llama2.c')
    .option('--name <name>', 'what it is called; default: what its files say')
    .option('--licence <spdx>', 'licence of the weights; default: what its files say')
    .option('--context <tokens>', 'the most tokens that it may see; default: what it was trained for', integer(2, 131_072))
    .option('--tokenizer <file>', 'tokenizer.bin or tokenizer.model, for a checkpoint of llama2.c')
    .addOption(new Option('--activations <type>', 'multiply q8_0 and q4_0 weights in integers, several times as fast; default: in f32').choices(['int16']))
    .action(async (path: string, options: ImportOptions, self: Command) => {
      const { bringModel } = await import('./run-model.ts')

      await bringModel(contextOf(self), path, options)
    })

  return examples(command, [
    'datanet model import ./SmolLM2-135M',
    'datanet model import qwen2.5-0.5b-instruct-q8_0.gguf --context 4096 --licence Apache-2.0 --activations int16',
    'datanet model import stories260K.bin --tokenizer tok512.bin'
  ])
}

function showCommand (): Command {
  const command = new Command('show')
    .description('say what a model is: one on the disk, or one in the store of a node that is not running')
    .argument('<model>', 'a folder, a file, or the CID of a base')
    .option('--tokenizer <file>', 'tokenizer.bin or tokenizer.model, for a checkpoint of llama2.c')
    .action(async (model: string, options: { tokenizer?: string }, self: Command) => {
      const { showModel } = await import('./run-model.ts')

      await showModel(contextOf(self), model, options)
    })

  return examples(command, ['datanet model show model.gguf', 'datanet model show bafyrei… --json'])
}
