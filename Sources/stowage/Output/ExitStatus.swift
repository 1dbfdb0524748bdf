// SPDX-License-Identifier: Apache-2.0

/// The exit statuses, the only ones that scripts may meet (cli 7).
struct ExitStatus: Hashable, Sendable {
  let code: CInt

  private init(_ code: CInt) { self.code = code }

  static let success = ExitStatus(0)
  /// A command failed or found something missing, the store could not be opened, or the main level was misused.
  static let failure = ExitStatus(1)
  /// An option error, or a request for help, behind a command's name.
  static let usage = ExitStatus(125)
  /// The process ends because of a signal, after it has tidied up.
  static func signal(_ number: CInt) -> ExitStatus { ExitStatus(128 + number) }

  /// That of the process which ran the command in a user namespace, or what a program told of itself.
  init(ofChild code: CInt) { self.code = code }
}
