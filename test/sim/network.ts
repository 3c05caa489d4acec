import type { SimNode, World } from './interface.ts'

/** Delivers, late, twice, in another order, or never. Messages between groups are lost. */
export const send = (world: World, from: SimNode, to: SimNode, deliver: (to: SimNode) => void): void => {
  const { random, queue, scenario, calm } = world
  const { dropPermille = 100, duplicatePermille = 50, delayMaxMs = 400 } = scenario

  world.messages++

  if (scenario.cut?.(from.id, to.id, queue.nowMs) === true) {
    return
  }

  const lagMs = scenario.lagMs?.(from.id, to.id) ?? 0

  if (calm) {
    queue.at(queue.nowMs + lagMs + (scenario.linkMs ?? random.between(5, 60)), () => { deliver(to) })
    return
  }

  for (let copies = random.chance(duplicatePermille) ? 2 : 1; copies > 0; copies--) {
    if (random.chance(dropPermille)) {
      continue
    }

    // now and then a message takes as long as a view
    const delayMs = random.chance(20) ? random.between(delayMaxMs, delayMaxMs * 20) : random.between(1, delayMaxMs)

    queue.at(queue.nowMs + lagMs + delayMs, () => {
      if (world.calm || world.groupOf[from.id] === world.groupOf[to.id]) {
        deliver(to)
      }
    })
  }
}

/** Splits the nodes at random into one, two or three groups; the two machines of a twin are kept apart. */
export const partition = ({ nodes, random, groupOf }: World): void => {
  const groups = random.pick([1, 1, 2, 2, 3])

  for (const node of nodes) {
    groupOf[node.id] = random.below(groups)
  }

  if (groups === 1) {
    return
  }

  for (const node of nodes) {
    const sibling = nodes.find(other => other.id > node.id && other.index === node.index && node.index !== null)

    if (sibling !== undefined && groupOf[sibling.id] === groupOf[node.id]) {
      groupOf[sibling.id] = (groupOf[node.id] + 1) % groups
    }
  }
}
