// SPDX-License-Identifier: Apache-2.0

package import StowageModel
package import SystemPackage

/// One step of a ``MountPlan``: a value that says in a line what it does, and does it.
///
/// The executor knows no kinds of steps: what only one driver needs is a type of that driver.
package protocol MountStep: Sendable, CustomStringConvertible {
  /// Does the step.
  ///
  /// - Returns: whether the plan goes on.
  /// - Throws: `mountFailed`, `system` and what the step says. A step that mounts leaves nothing mounted then; directories
  ///   that it made may stay.
  func perform() throws(StorageError) -> MountOutcome
}

/// A step that shows a tree somewhere.
package protocol TreeMount: MountStep {
  /// Where the tree will be seen.
  var target: FilePath { get set }
}

/// What became of a step, and of a plan.
package enum MountOutcome: Hashable, Sendable {
  /// What was to be done is done.
  case done
  /// The tree was already mounted: nothing was changed, and nothing more is to be done.
  case alreadyMounted
}
