// SPDX-License-Identifier: Apache-2.0

/// Does something with an input that nobody vouches for. A trap is a finding, so what must hold is written as
/// `precondition`; errors are what is expected.
typealias FuzzTarget = @Sendable ([UInt8]) -> Void

/// All targets, each in the file of its name in `Targets/`.
let fuzzTargets: [String: FuzzTarget] = [
  "commandline": fuzzCommandLine,
  "decoders": fuzzDecoders,
  "documents": fuzzDocuments,
  "extract": fuzzExtract,
  "pax": fuzzPAX,
  "plans": fuzzPlans,
  "reassemble": fuzzReassemble,
  "records": fuzzRecords,
  "storageconf": fuzzStorageConf,
  "tar": fuzzTar,
  "tarsplit": fuzzTarSplit,
  "toml": fuzzTOML,
]
