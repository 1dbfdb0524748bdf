// SPDX-License-Identifier: Apache-2.0

/// The one error that operations on a store throw.
///
/// `message` is the exact text shown to a person or a script; it includes every context in front of the reference text
/// (`locating image with ID "x": image not known`). Decide on ``code``, never on the text. Source: store-semantics 2.
public struct StorageError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure it is; survives wrapping.
  public let code: Code
  /// The exact text to show, without a trailing period or line feed.
  public let message: String
  /// The same for people: without what tells only how the reference is built (`strconv.ParseUint: …`, `exit status 1; output: …`).
  public let plainMessage: String
  /// The identifier or name of the layer, image or container concerned, if there is one.
  public let subject: String?
  /// The host path concerned, if there is one.
  public let path: String?
  /// The failure below this one: an `Errno`, an error of the archive code or another `StorageError`.
  public let cause: (any Error)?

  /// Makes an error; without a message the code's reference text is the message, and without a plain one, the message is plain.
  public init(
    _ code: Code, _ message: String? = nil, plain: String? = nil, subject: String? = nil, path: String? = nil,
    cause: (any Error)? = nil
  ) {
    self.code = code
    self.message = message ?? code.text
    plainMessage = plain ?? self.message
    self.subject = subject
    self.path = path
    self.cause = cause
  }

  /// The same failure with a context in front: the message becomes `prefix: message`; code and the rest stay.
  public func wrapped(_ prefix: String) -> StorageError {
    StorageError(
      code, "\(prefix): \(message)", plain: "\(prefix): \(plainMessage)", subject: subject, path: path, cause: cause)
  }

  /// The message.
  public var description: String { message }
}
