// the two implementations themselves: index.ts exports one of them, depending on the platform
import * as browser from '../../src/identity/backend.browser.ts'
import * as node from '../../src/identity/backend.ts'
import { blsCompliance, ed25519Compliance, sameBytes } from '../compliance/identity.ts'

ed25519Compliance('OpenSSL', node.ed25519)
ed25519Compliance('noble', browser.ed25519)
blsCompliance('blst', node.bls)
blsCompliance('noble', browser.bls)
sameBytes('Node and browsers', node, browser)
