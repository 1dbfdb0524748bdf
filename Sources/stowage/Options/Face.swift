// SPDX-License-Identifier: Apache-2.0
import StowageModel

/// The name under which the program was started, which decides what it accepts, its help, and how it complains.
enum Face: Sendable {
  /// Any other name than ours, `containers-storage` first: byte for byte the reference.
  case reference
  /// `stowage`: options anywhere, verbs for people, help and errors of our own.
  case stowage

  /// - Parameter programName: as started, with or without a path.
  init(programName: String) { self = programName.split(separator: "/").last == "stowage" ? .stowage : .reference }
}

extension StorageError {
  /// What is said of it.
  func text(for face: Face) -> String { face == .stowage ? plainMessage : message }
}
