// What the commands of `headgate policy` answer, as a table for people and as JSON.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/ruleset.h"
#include "headgate/stream_exception_policy.h"

#include "midstream/policy_library.h"

namespace headgate::cli {

class PolicyAnswer {
  public:
    virtual ~PolicyAnswer() = default;

    virtual void append_text(fmt::memory_buffer& out) const = 0;
    virtual void append_json(fmt::memory_buffer& out) const = 0;

    /// One line for each thing in it.
    virtual void append_ndjson(fmt::memory_buffer& out) const { append_json(out); }
};

class PolicyListAnswer final : public PolicyAnswer {
  public:
    explicit PolicyListAnswer(const std::vector<midstream::PolicyEntry>& entries) : entries_(entries) {}
    void append_text(fmt::memory_buffer& out) const override;
    void append_json(fmt::memory_buffer& out) const override;
    void append_ndjson(fmt::memory_buffer& out) const override;

  private:
    const std::vector<midstream::PolicyEntry>& entries_;
};

class PolicyShowAnswer final : public PolicyAnswer {
  public:
    explicit PolicyShowAnswer(const StreamExceptionPolicy& policy) : policy_(policy) {}
    void append_text(fmt::memory_buffer& out) const override;
    void append_json(fmt::memory_buffer& out) const override;

  private:
    const StreamExceptionPolicy& policy_;
};

class PolicyStatusAnswer final : public PolicyAnswer {
  public:
    PolicyStatusAnswer(Endpoint endpoint, RulesetStatus status, std::string message)
        : endpoint_(std::move(endpoint)), status_(std::move(status)), message_(std::move(message)) {}
    void append_text(fmt::memory_buffer& out) const override;
    void append_json(fmt::memory_buffer& out) const override;

  private:
    Endpoint endpoint_;
    RulesetStatus status_;
    std::string message_;
};

}  // namespace headgate::cli
