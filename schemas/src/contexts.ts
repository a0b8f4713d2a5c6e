import credentialsV2 from '../contexts/credentials-v2.json' with { type: 'json' }
import tillitV1 from '../contexts/tillit-v1.json' with { type: 'json' }

export const credentialsContext = 'https://www.w3.org/ns/credentials/v2'
export const tillitContext = 'https://tillit.example/contexts/credentials/v1'

/**
 * The JSON-LD contexts that are known without asking anybody, with the SHA-256 of the files they are in (a test compares).
 * The first is the W3C's, whose digest VC Data Model 2.0 publishes in appendix B.1.
 */
export const bundledContexts: readonly { url: string; sha256: string; document: object }[] = [
  {
    url: credentialsContext,
    sha256: '59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734',
    document: credentialsV2,
  },
  {
    url: tillitContext,
    sha256: '6b9fc0111e350cbe758c8727666e6330af740fc84bfb4ea2648ee8f749cf48af',
    document: tillitV1,
  },
]
