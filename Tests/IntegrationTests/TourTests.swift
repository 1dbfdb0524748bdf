// SPDX-License-Identifier: Apache-2.0
import StowageTestSupport
import SystemPackage
import Testing

/// `scripts/tour`: what people do in a day, as root and as an ordinary user, from the names that they type to the end of the store.
@Suite("A day with stowage", .tags(.root), .enabled(if: isRoot, "makes a user and mounts")) struct TourTests {
  @Test(arguments: ["overlay", "vfs"]) func `Root gets through the day`(driver: String) throws {
    let result = try run(repositoryFile("scripts/tour").string, stowageItself().string, driver)
    #expect(result.isSuccess, "\(result)")
  }

  @Test func `An ordinary user gets through the day`() throws {
    let user = try OrdinaryUser()
    // The user may not reach the place of the build.
    for name in ["tour", "make-demo-image"] {
      _ = try run("cp", repositoryFile("scripts/\(name)").string, user.home.string)
    }
    _ = try run("chmod", "--recursive", "a+rX", user.home.string)
    let result = try run(user.words([user.home.appending("tour").string, user.program]))
    #expect(result.isSuccess, "\(result)")
  }
}
