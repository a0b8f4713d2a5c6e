import { describe } from 'vitest'
import { orderProperties } from './order-properties.fixture.ts'

describe('the order of scopes, 20,000 cases a law', () => orderProperties(20_000))
