// SPDX-License-Identifier: Apache-2.0
private import StowageConfig

/// Reads the input as a configuration file.
func fuzzTOML(_ input: [UInt8]) {
  _ = try? readTOML(input)
}
