import streamlit as st

from seqdemo.ui import attention

st.title("Where does a Transformer look?", anchor=False)
attention.render()
