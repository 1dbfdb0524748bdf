// SPDX-License-Identifier: Apache-2.0

/// The version that `version` prints: that of the reference whose formats and commands this package follows.
public let stowageVersion = "1.64.0-dev"
