// SPDX-License-Identifier: Apache-2.0

/// The version of this package.
public let stowageVersion = "0.1.0-dev"

/// The version of the reference whose formats and commands this package follows, which `containers-storage version` prints.
public let stowageFormatVersion = "1.64.0-dev"
