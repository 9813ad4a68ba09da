"""What the advisor can do: plain synchronous typed functions. No LangChain, no environment variables."""
